/** Under which name the secret of a webhook is wrapped, so that it cannot be passed off as anything else. */

export const webhookName = (webhookId: string): string => `webhook/${webhookId}`;
