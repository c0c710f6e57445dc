import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { AlertMessage } from '../domain/alerts';

/** Publishes an alert, to each protocol in the form that its readers need; answers SNS's message id. */
export interface Alerts {
  publish(message: AlertMessage): Promise<string>;
}

/** Makes a client for the alert topic. */
export function alertTopic(topicArn: string): Alerts {
  const client = new SNSClient({ maxAttempts: 5 });
  return {
    async publish({ subject, text, chat }) {
      const chatJson = JSON.stringify(chat);
      const answer = await client.send(
        new PublishCommand({
          TopicArn: topicArn,
          Subject: subject,
          MessageStructure: 'json',
          // People read e-mail and text messages; chat integrations subscribe by HTTPS and want their schema, as do
          // queues and functions.
          Message: JSON.stringify({ default: chatJson, email: text, sms: subject }),
        }),
      );
      return answer.MessageId ?? '';
    },
  };
}
