// What V8 and JavaScriptCore have, and what Node's own types stand for here.
interface ErrorConstructor {
  captureStackTrace?(error: object, behind?: Function): void;
}
