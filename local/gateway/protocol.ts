import type { ServiceError } from '../kernel/service';
import type { HttpRequest, HttpResponse } from './http-message';

/** Which operation a request asks for, and with what. */
export interface Decoded {
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** One of AWS's wire protocols: how requests are read and answers written. */
export interface Protocol {
  /** Names service and operation without reading the body further than needed. */
  name(request: HttpRequest): Pick<Decoded, 'service' | 'operation'>;
  /** Reads the input; a body that is not of the protocol's form is a SerializationException. */
  input(request: HttpRequest): Decoded['input'];
  answer(decoded: Decoded, output: object, requestId: string): HttpResponse;
  fail(named: Pick<Decoded, 'service' | 'operation'>, error: ServiceError, requestId: string): HttpResponse;
}
