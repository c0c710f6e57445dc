/** What an application imports to live with rotations. */
export { type ClientEvent, type OnClientEvent } from './client-event';
export { type Clock } from './clock';
export * from './errors';
export { type BatchAnswer, type LambdaContext, lambdaHandler } from './lambda-handler';
export { isLoginRefused } from './login-refused';
export { type EventBridgePort, type SecretsManagerPort, type SqsPort } from './ports';
export { type Prove } from './proof';
export { type QueueListener, type QueueListenerOptions, listenOnQueue } from './queue-listener';
export { type Answered, type RefreshResponderOptions, RefreshResponder } from './refresh-responder';
export { proveMysqlLogin, rotatingMysqlPool } from './rotating-mysql-pool';
export { proveLogin, rotatingPool } from './rotating-pool';
export { type NewVersion, type RotatingSecretOptions, RotatingSecret } from './rotating-secret';
export { type SecretMembers, type SecretVersion } from './secret-version';
