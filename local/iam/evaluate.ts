import type { Principal } from '../kernel/service';
import { judge, type ConditionContext } from './condition';
import type { PolicyDocument, Principals, Statement } from './policy-document';
import { matches } from './wildcard';

/** One request as policies see it. */
export interface PolicyRequest {
  readonly principal: Principal;
  readonly action: string;
  readonly resource: string;
  readonly context: ConditionContext;
}

/** How a statement's Principal names the caller: itself, or only the account that it belongs to. */
export type Naming = 'caller' | 'account';

/** What a set of policies says about one request. */
export interface Finding {
  readonly denied: boolean;
  /**
   * Who is allowed. `account` is a resource policy that names the caller's account root: it leaves the decision to
   * the account's identity policies and allows nobody by itself.
   */
  readonly allowed: Naming | undefined;
  /** Operators and keys that could not be judged, each on the side of refusing. */
  readonly unknown: readonly string[];
}

/**
 * Evaluates policies the way AWS does: an explicit deny wins, else one allow suffices.
 *
 * `kind` says whether statements are read as those of an identity (no Principal) or of a resource (Principal needed).
 * A statement that holds an operator or key that nobody knows counts as matching when it denies and as not matching when
 * it allows.
 */
export function evaluate(
  policies: readonly PolicyDocument[],
  request: PolicyRequest,
  kind: 'identity' | 'resource',
): Finding {
  let denied = false;
  let allowed: Naming | undefined;
  const unknown: string[] = [];
  for (const statement of policies.flatMap((policy) => policy.statements)) {
    const naming = kind === 'identity' ? 'caller' : names(statement.principals, request.principal);
    if (naming === undefined || !covers(statement, request)) continue;
    const results = statement.conditions.map((condition) => judge(condition, request.context));
    const unjudged = results.flatMap((result) => ('unknown' in result ? [result.unknown] : []));
    if (results.some((result) => 'holds' in result && !result.holds)) continue;
    unknown.push(...unjudged);
    if (statement.effect === 'Deny') denied = true;
    else if (unjudged.length === 0 && allowed !== 'caller') allowed = naming;
  }
  return { denied, allowed: denied ? undefined : allowed, unknown };
}

function covers(statement: Statement, request: PolicyRequest): boolean {
  const { actions, resources } = statement;
  const variables = request.context.variables;
  // Action names do not know case; ARNs do.
  const action = actions.patterns.some((pattern) => matches(pattern, request.action, variables, true));
  if (action === actions.not) return false;
  if (resources === undefined) return true;
  const resource = resources.patterns.some((pattern) => matches(pattern, request.resource, variables));
  return resource !== resources.not;
}

function names(principals: Principals | undefined, principal: Principal): Naming | undefined {
  if (principals === undefined) return undefined;
  const naming = lists(principals, principal);
  if (!principals.not) return naming;
  return naming === undefined ? 'caller' : undefined;
}

function lists(principals: Principals, principal: Principal): Naming | undefined {
  if (principals.anyone) return 'caller';
  switch (principal.kind) {
    case 'service':
      return principals.services.includes(principal.service) ? 'caller' : undefined;
    case 'operator':
    case 'user':
    case 'role': {
      const own = principal.kind === 'role' ? [principal.arn, principal.roleArn] : [principal.arn];
      if (own.some((arn) => principals.aws.includes(arn))) return 'caller';
      const isAccount = (name: string) =>
        name === principal.account ||
        (/^arn:[^:]+:iam::(\d+):root$/u.exec(name)?.[1] ?? '') === principal.account;
      return principals.aws.some(isAccount) ? 'account' : undefined;
    }
  }
}
