import type { HttpRequest } from './http-message';
import type { Protocol } from './protocol';
import { parseAuthorization } from './signature';
import { parseForm } from './query-form';
import { toXml } from './xml';

/** What is needed to read and write one service's query API. */
interface QueryService {
  readonly service: string;
  readonly namespace: string;
  /** Members that are maps in answers; XML cannot tell them from structures. */
  readonly maps: readonly string[];
  /** Top-level members that are no strings. */
  readonly booleans: readonly string[];
  readonly numbers: readonly string[];
}

/** By the API version that every request of the protocol names. */
const services: Readonly<Record<string, QueryService>> = {
  '2010-03-31': {
    service: 'sns',
    namespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
    maps: ['Attributes'],
    booleans: ['ReturnSubscriptionArn'],
    numbers: [],
  },
  '2010-05-08': {
    service: 'iam',
    namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    maps: [],
    booleans: [],
    numbers: [],
  },
  '2011-06-15': {
    service: 'sts',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    maps: [],
    booleans: [],
    numbers: ['DurationSeconds'],
  },
  '2014-10-31': {
    service: 'rds',
    namespace: 'http://rds.amazonaws.com/doc/2014-10-31/',
    maps: [],
    booleans: [],
    numbers: ['MaxRecords'],
  },
};

const namespaces = new Map(Object.values(services).map((known) => [known.service, known]));

function formOf(request: HttpRequest): URLSearchParams {
  const form = new URLSearchParams(request.body.toString('utf8'));
  return form.has('Action') ? form : request.query;
}

/** AWS query: the operation and its input as a form, the answer as XML. */
export const queryProtocol: Protocol = {
  name(request) {
    const form = formOf(request);
    const known = services[form.get('Version') ?? ''];
    return {
      service: known?.service ?? parseAuthorization(request)?.service ?? 'unknown',
      operation: form.get('Action') ?? 'nothing',
    };
  },

  input(request) {
    const form = formOf(request);
    const known = services[form.get('Version') ?? ''];
    const members = Object.entries(parseForm(form)).filter(
      ([name]) => name !== 'Action' && name !== 'Version',
    );
    return Object.fromEntries(
      members.map(([name, value]) => {
        if (known?.booleans.includes(name) === true) return [name, value === 'true'];
        if (known?.numbers.includes(name) === true) return [name, Number(value)];
        return [name, value];
      }),
    );
  },

  answer({ service, operation }, output, requestId) {
    const known = namespaces.get(service);
    const result =
      Object.keys(output).length === 0 ? '' : toXml(`${operation}Result`, output, known?.maps ?? []);
    const metadata = toXml('ResponseMetadata', { RequestId: requestId }, []);
    return {
      statusCode: 200,
      headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
      body: `<${operation}Response xmlns="${known?.namespace ?? ''}">${result}${metadata}</${operation}Response>`,
    };
  },

  fail({ service }, error, requestId) {
    const type = error.statusCode < 500 ? 'Sender' : 'Receiver';
    const body = toXml(
      'Error',
      { Type: type, Code: error.code, Message: error.message, ...error.members },
      [],
    );
    const namespace = namespaces.get(service)?.namespace ?? '';
    return {
      statusCode: error.statusCode,
      headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
      body: `<ErrorResponse xmlns="${namespace}">${body}${toXml('RequestId', requestId, [])}</ErrorResponse>`,
    };
  },
};
