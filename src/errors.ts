/**
 * Every error the library throws on purpose. `code` is stable and meant for programs; the message
 * names the value, the limit and the remedy, and is meant for people.
 */
export type ScoreCamErrorCode =
  | 'no-webgpu'
  | 'no-adapter'
  | 'limit'
  | 'kernel'
  | 'device-lost'
  | 'out-of-memory'
  | 'manifest'
  | 'weights'
  | 'network'
  | 'image'
  | 'option'
  | 'not-finite'
  | 'disposed';

export class ScoreCamError extends Error {
  readonly code: ScoreCamErrorCode;

  constructor(code: ScoreCamErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ScoreCamError';
    this.code = code;
  }
}
