import { jobQueueContract } from '../contracts/job-queue.ts';
import { ledgerContract } from '../contracts/ledger.ts';
import { studyBoardContract } from '../contracts/study-board.ts';
import { withdrawalsContract } from '../contracts/withdrawals.ts';
import { describePostgres, usePostgres } from './postgres-bench.ts';

describePostgres('on a real server', () => {
  const bench = usePostgres();
  jobQueueContract('PostgreSQL', bench);
  ledgerContract('PostgreSQL', bench);
  studyBoardContract('PostgreSQL', bench);
  withdrawalsContract('PostgreSQL', bench);
});
