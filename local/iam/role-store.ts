import { randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock';
import { ServiceError, type Call, type Principal } from '../kernel/service';
import { createAuthorize, type IdentityPolicies } from './authorize';
import { awsManagedPolicies } from './managed-policies';
import { parsePolicy, type PolicyDocument } from './policy-document';

/** A role as a template describes it. */
export interface RoleDefinition {
  readonly name: string;
  /** Begins and ends with a slash; `/` by default. */
  readonly path?: string;
  readonly trustPolicy: object;
  /** Inline policies by name. */
  readonly policies?: Readonly<Record<string, object>>;
  readonly managedPolicyArns?: readonly string[];
}

/** A caller with an identity of its own in IAM: what credentials stand for. */
export type IdentityPrincipal = Extract<Principal, { readonly kind: 'operator' | 'user' | 'role' }>;

/** Temporary credentials and whom they stand for. */
export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly principal: IdentityPrincipal;
  /** When they stop working, milliseconds since the epoch; absent for those of a function's own environment. */
  readonly expiresAt?: number;
}

interface Role {
  readonly arn: string;
  readonly name: string;
  readonly trustPolicy: object;
  readonly policies: Map<string, PolicyDocument>;
  readonly managed: Set<string>;
}

/** The account's roles, the policies attached to them, and the sessions that were opened. */
export class RoleStore implements IdentityPolicies {
  private readonly roles = new Map<string, Role>();
  private readonly managedPolicies = new Map<string, PolicyDocument>();
  private readonly sessions = new Map<string, Session>();

  /** Credentials that may do everything, for whoever sits at the machine. */
  readonly operator: Session;

  constructor(
    private readonly where: {
      readonly account: string;
      readonly region: string;
      readonly partition: string;
      readonly clock: Clock;
      /** Policies of the account's users, who may assume roles too. */
      readonly users?: IdentityPolicies;
    },
  ) {
    for (const [name, document] of Object.entries(awsManagedPolicies))
      this.managedPolicies.set(`arn:${where.partition}:iam::aws:policy/${name}`, parsePolicy(document));
    this.operator = this.open('AKIA', {
      kind: 'operator',
      arn: `arn:${where.partition}:iam::${where.account}:user/operator`,
      account: where.account,
    });
  }

  /** Creates or replaces a role, and answers its ARN; a managed policy that does not exist is refused by name. */
  put(definition: RoleDefinition): string {
    const arn = `arn:${this.where.partition}:iam::${this.where.account}:role${definition.path ?? '/'}${definition.name}`;
    parsePolicy(definition.trustPolicy);
    const role: Role = {
      arn,
      name: definition.name,
      trustPolicy: definition.trustPolicy,
      policies: new Map(
        Object.entries(definition.policies ?? {}).map(([name, document]) => [name, parsePolicy(document)]),
      ),
      managed: new Set(),
    };
    for (const policyArn of definition.managedPolicyArns ?? []) this.attach(role, policyArn);
    this.roles.set(arn, role);
    return arn;
  }

  /** Forgets a role; its open sessions may do nothing from then on. */
  delete(roleArn: string): void {
    this.roles.delete(roleArn);
  }

  /** Adds or replaces an inline policy; roles are named by name or ARN. */
  putPolicy(role: string, policyName: string, document: object): void {
    this.role(role).policies.set(policyName, parsePolicy(document));
  }

  /** Removes an inline policy; removing one that is not there does nothing. */
  deletePolicy(role: string, policyName: string): void {
    this.role(role).policies.delete(policyName);
  }

  /** Creates or replaces a managed policy of the account, and answers its ARN. */
  putManagedPolicy(name: string, document: object, path = '/'): string {
    const arn = `arn:${this.where.partition}:iam::${this.where.account}:policy${path}${name}`;
    this.managedPolicies.set(arn, parsePolicy(document));
    return arn;
  }

  /** Attaches a managed policy to a role, named by name or ARN. */
  attachManagedPolicy(role: string, policyArn: string): void {
    this.attach(this.role(role), policyArn);
  }

  /** Detaches a managed policy; detaching one that is not attached does nothing. */
  detachManagedPolicy(role: string, policyArn: string): void {
    this.role(role).managed.delete(policyArn);
  }

  /** Those of the role, or of the user, with this ARN. */
  identityPolicies(arn: string): readonly PolicyDocument[] {
    const role = this.roles.get(arn);
    if (role === undefined) return this.where.users?.identityPolicies(arn) ?? [];
    const managed = [...role.managed].flatMap((policyArn) => this.managedPolicies.get(policyArn) ?? []);
    return [...role.policies.values(), ...managed];
  }

  /** The role's trust policy; undefined for a role that does not exist. */
  trustPolicy(roleArn: string): object | undefined {
    return this.roles.get(roleArn)?.trustPolicy;
  }

  /**
   * Opens a session of a role for an AWS service, such as `lambda.amazonaws.com`, if the role's trust policy names it.
   *
   * `conditions` are the keys of the service's request: aws:SourceAccount and aws:SourceArn where AWS sends them.
   */
  assume(
    roleArn: string,
    service: string,
    sessionName: string,
    conditions: Readonly<Record<string, string>> = {},
  ): Session {
    const principal: Principal = { kind: 'service', service, account: this.where.account };
    return this.assumeAs(
      { principal, requestId: '', userAgent: service, conditions },
      roleArn,
      sessionName,
      undefined,
    );
  }

  /** Opens a session of a role for any caller whom its trust policy allows; without `seconds` it does not end. */
  assumeAs(call: Call, roleArn: string, sessionName: string, seconds: number | undefined): Session {
    const role = this.roles.get(roleArn);
    const authorize = createAuthorize({ ...this.where, roles: this, code: 'AccessDenied', statusCode: 403 });
    // A role that does not exist is refused as one that does not trust the caller: AWS tells nobody which roles exist.
    authorize(call, {
      action: 'sts:AssumeRole',
      resource: roleArn,
      resourcePolicy: role?.trustPolicy,
    });
    if (role === undefined) throw new ServiceError('AccessDenied', `Role ${roleArn} does not exist.`, 403);
    const { partition, account, clock } = this.where;
    return this.open(
      'ASIA',
      {
        kind: 'role',
        arn: `arn:${partition}:sts::${account}:assumed-role/${role.name}/${sessionName}`,
        account,
        roleArn: role.arn,
      },
      seconds === undefined ? undefined : clock.now() + seconds * 1000,
    );
  }

  /** Whom an access key stands for; undefined for keys that were never given out or have expired. */
  principalOf(accessKeyId: string): IdentityPrincipal | undefined {
    return this.sessionOf(accessKeyId)?.principal;
  }

  /** The whole session of an access key, for checking a signature; undefined like `principalOf`. */
  sessionOf(accessKeyId: string): Session | undefined {
    const session = this.sessions.get(accessKeyId);
    const expired = session?.expiresAt !== undefined && session.expiresAt <= this.where.clock.now();
    return expired ? undefined : session;
  }

  private open(prefix: 'AKIA' | 'ASIA', principal: IdentityPrincipal, expiresAt?: number): Session {
    const session: Session = {
      accessKeyId: prefix + randomText(16),
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(96).toString('base64'),
      principal,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
    this.sessions.set(session.accessKeyId, session);
    return session;
  }

  private attach(role: Role, policyArn: string): void {
    if (!this.managedPolicies.has(policyArn))
      throw new ServiceError('NoSuchEntity', `Policy ${policyArn} does not exist or is not attachable.`, 404);
    role.managed.add(policyArn);
  }

  private role(nameOrArn: string): Role {
    const role =
      this.roles.get(nameOrArn) ?? [...this.roles.values()].find((candidate) => candidate.name === nameOrArn);
    if (role === undefined)
      throw new ServiceError('NoSuchEntity', `The role with name ${nameOrArn} cannot be found.`, 404);
    return role;
  }
}

function randomText(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return [...randomBytes(length)].map((byte) => alphabet[byte % 32]).join('');
}
