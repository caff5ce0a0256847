import { framingContract } from '../contract/framing-contract.ts';
import { gatewayContract } from '../contract/gateway-contract.ts';
import { outageContract } from '../contract/outage-contract.ts';
import { pathContract } from '../contract/path-contract.ts';
import { CADDY } from '../test-kit/gateway.ts';

gatewayContract(CADDY);
outageContract(CADDY);
pathContract(CADDY);
framingContract(CADDY);
