import { rehearseRotator } from './every-rotator';

rehearseRotator('redis-acl');
