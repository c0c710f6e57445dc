import { rehearseRotator } from './every-rotator';

rehearseRotator('iam-access-key');
