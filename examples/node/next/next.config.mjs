export default {
  // A native addon must be loaded from where it is installed, not bundled.
  serverExternalPackages: ['velora'],
};
