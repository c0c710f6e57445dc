import { SecretMalformed } from '../../domain/errors';
import type { Outgoing } from './connection';
import type { RequestTemplate } from './requests';
import { render, renderJson, type Values } from './templates';

/** Fills a request's placeholders in. Headers of its own win over `usual` ones. SecretMalformed, TargetRefused. */
export function outgoing(
  request: RequestTemplate,
  values: Values,
  usual: Readonly<Record<string, string>> = {},
): Outgoing {
  const content = contentOf(request, values);
  const headers: Record<string, string> = { ...usual };
  for (const [name, value] of Object.entries(usual))
    if (!isHeaderText(value))
      throw new SecretMalformed(`a credential holds characters that cannot stand in the header ${name}`);
  if (content !== undefined) headers['content-type'] = content.type;
  for (const [name, template] of Object.entries(request.headers ?? {}))
    headers[name.toLowerCase()] = render(template, values, 'header');
  return {
    method: request.method,
    url: new URL(render(request.url, values, 'url')),
    what: `${request.method} ${request.url}`,
    headers,
    hidden: [],
    ...(content === undefined ? {} : { body: content.text }),
  };
}

interface Content {
  readonly type: string;
  readonly text: string;
}

function contentOf({ body, form }: RequestTemplate, values: Values): Content | undefined {
  if (form !== undefined) {
    const fields = Object.entries(form).map(([name, template]): [string, string] => [
      name,
      render(template, values, 'text'),
    ]);
    return {
      type: 'application/x-www-form-urlencoded',
      text: new URLSearchParams(fields).toString(),
    };
  }
  return body === undefined
    ? undefined
    : { type: 'application/json', text: JSON.stringify(renderJson(body, values)) };
}

function isHeaderText(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
