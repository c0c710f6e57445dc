import { rehearseRotator } from './every-rotator';

rehearseRotator('mysql-alternating');
