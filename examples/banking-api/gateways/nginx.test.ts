import { gatewayContract } from '../contract/gateway-contract.ts';
import { NGINX } from '../test-kit/gateway.ts';

gatewayContract(NGINX);
