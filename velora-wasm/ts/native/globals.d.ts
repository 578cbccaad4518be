// What V8 and JavaScriptCore have, declared here in place of Node's own types.
interface ErrorConstructor {
  captureStackTrace?(error: object, behind?: Function): void;
}
