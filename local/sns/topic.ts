/** Protocols that a subscription can have here, as the API names them. */
export const protocols = ['sqs', 'lambda', 'email', 'email-json', 'http', 'https'] as const;

/** One of the protocols. */
export type SubscriptionProtocol = (typeof protocols)[number];

/** Who gets what is published on a topic. */
export interface Subscription {
  readonly arn: string;
  readonly protocol: SubscriptionProtocol;
  readonly endpoint: string;
  attributes: Readonly<Record<string, string>>;
}

/** One topic with its subscriptions. */
export interface Topic {
  readonly arn: string;
  readonly name: string;
  attributes: Readonly<Record<string, string>>;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  readonly subscriptions: Subscription[];
}
