// Package offlinepay books what becomes of payments without a processor: refunds that staff order (RefundOfflineTx), checks that their bank does not
// pay (ReturnCheckTx), and gifts that were recorded by mistake (VoidOfflineTx). It has no table: package settlement stores the changes of payments
// and revises receipts.
package offlinepay

import "konbit/internal/processor/settlement"

// Booker books what becomes of payments without a processor.
type Booker struct{ settlement.Booker }
