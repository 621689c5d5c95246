import { jobQueueContract } from '../contracts/job-queue.ts';
import { ledgerContract } from '../contracts/ledger.ts';
import { studyBoardContract } from '../contracts/study-board.ts';
import { withdrawalsContract } from '../contracts/withdrawals.ts';
import { sqliteBench } from './bench.ts';

jobQueueContract('SQLite', sqliteBench);
ledgerContract('SQLite', sqliteBench);
studyBoardContract('SQLite', sqliteBench);
withdrawalsContract('SQLite', sqliteBench);
