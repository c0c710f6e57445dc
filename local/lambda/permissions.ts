import type { infer as Infer } from 'zod';
import * as z from 'zod';

/** What AddPermission takes; EventSourceToken, PrincipalOrgID and function URLs are not in the table. */
export const permissionInput = z.object({
  FunctionName: z.string(),
  StatementId: z.string().regex(/^[a-zA-Z0-9-_]{1,100}$/),
  Action: z.string().regex(/^lambda:[*]|lambda:[a-zA-Z]+|[*]$/),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: z
    .string()
    .regex(/^\d{12}$/)
    .optional(),
});

/** One statement of a function's resource policy. */
export interface PermissionStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal: '*' | { readonly Service: string } | { readonly AWS: string };
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The statement that Lambda makes of a permission: ArnLike for the source, StringEquals for its account. */
export function statementOf(
  permission: Infer<typeof permissionInput>,
  resource: string,
  partition: string,
): PermissionStatement {
  const { SourceArn, SourceAccount } = permission;
  const condition = {
    ...(SourceAccount === undefined ? {} : { StringEquals: { 'AWS:SourceAccount': SourceAccount } }),
    ...(SourceArn === undefined ? {} : { ArnLike: { 'AWS:SourceArn': SourceArn } }),
  };
  return {
    Sid: permission.StatementId,
    Effect: 'Allow',
    Principal: principalOf(permission.Principal, partition),
    Action: permission.Action,
    Resource: resource,
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  };
}

function principalOf(principal: string, partition: string): PermissionStatement['Principal'] {
  if (principal === '*') return '*';
  if (/^\d{12}$/.test(principal)) return { AWS: `arn:${partition}:iam::${principal}:root` };
  return principal.startsWith('arn:') ? { AWS: principal } : { Service: principal };
}

/** The resource policy as a document; undefined while it has no statement. */
export function policyOf(statements: readonly PermissionStatement[]): object | undefined {
  return statements.length === 0
    ? undefined
    : { Version: '2012-10-17', Id: 'default', Statement: statements };
}
