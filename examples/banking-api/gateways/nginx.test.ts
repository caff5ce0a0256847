import { framingContract } from '../contract/framing-contract.ts';
import { gatewayContract } from '../contract/gateway-contract.ts';
import { outageContract } from '../contract/outage-contract.ts';
import { pathContract } from '../contract/path-contract.ts';
import { NGINX } from '../test-kit/gateway.ts';

gatewayContract(NGINX);
outageContract(NGINX);
pathContract(NGINX);
framingContract(NGINX);
