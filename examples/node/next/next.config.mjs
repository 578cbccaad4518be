export default {
  // An addon is loaded from where it is installed, and not bundled.
  serverExternalPackages: ['velora'],
};
