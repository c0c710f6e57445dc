import { AccountPrincipal, type IPrincipal, OrganizationPrincipal } from 'aws-cdk-lib/aws-iam';

/** Accounts beside Rotor's own whose applications use its secrets. */
export interface OtherAccounts {
  /** By their numbers. */
  readonly consumerAccounts?: readonly string[];
  /** All accounts of an organisation, by its id `o-…`. */
  readonly consumerOrganizationId?: string;
}

/** A statement's principals: accounts together, an organisation apart, since its condition would hold for both. */
export interface OtherPrincipals {
  /** End of the statement's id. */
  readonly name: string;
  readonly principals: readonly IPrincipal[];
}

/**
 * The principals of other accounts, statement by statement; none where nobody is named.
 *
 * A policy of a bus has 10 KB (AWS: EventBridge, PutPermission): all accounts stand in one statement, which has room for
 * some 150.
 */
export function principalsOf({
  consumerAccounts = [],
  consumerOrganizationId,
}: OtherAccounts): readonly OtherPrincipals[] {
  const wrong = consumerAccounts.find((account) => !/^\d{12}$/.test(account));
  if (wrong !== undefined) throw new Error(`consumerAccounts: ${wrong} is not the number of an account`);
  if (consumerOrganizationId !== undefined && !/^o-[a-z0-9]{10,32}$/.test(consumerOrganizationId)) {
    throw new Error(`consumerOrganizationId: ${consumerOrganizationId} is not the id of an organisation`);
  }
  return [
    ...(consumerAccounts.length === 0
      ? []
      : [
          {
            name: 'OfAccounts',
            principals: consumerAccounts.map((account) => new AccountPrincipal(account)),
          },
        ]),
    ...(consumerOrganizationId === undefined
      ? []
      : [{ name: 'OfOrganization', principals: [new OrganizationPrincipal(consumerOrganizationId)] }]),
  ];
}
