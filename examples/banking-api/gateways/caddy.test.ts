import { gatewayContract } from '../contract/gateway-contract.ts';
import { CADDY } from '../test-kit/gateway.ts';

gatewayContract(CADDY);
