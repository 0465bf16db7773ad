package settlement

import "konbit/internal/books/task"

// Tasks about balance transactions. The subject is the transaction's id, except where a comment names another.
var (
	taskOtherCurrency  = transactionTask("balance_in_other_currency", task.Urgent, task.Finance)
	taskNotBooked      = transactionTask("balance_transaction_not_booked", task.Urgent, task.Operator)
	taskUnreadable     = transactionTask("charge_not_readable", task.Urgent, task.Operator)
	taskUnknown        = transactionTask("unknown_balance_transaction", task.Normal, task.Finance)
	taskUnexpected     = transactionTask("movement_does_not_fit", task.Normal, task.Finance)
	taskBeyond         = transactionTask("more_went_back_than_was_left", task.Normal, task.Finance)
	taskRefundFailed   = transactionTask("refund_failed", task.Urgent, task.Finance)
	taskPayoutDiffers  = transactionTask("payout_differs_from_its_transactions", task.Normal, task.Finance)
	taskPayoutFailed   = transactionTask("payout_failed", task.Urgent, task.Finance)
	taskWithoutInvoice = task.Register(task.Kind{ // subject: the charge
		Code: "payment_without_bill", Severity: task.Normal, For: task.Finance, Link: task.Link{Object: task.Payment}, Closes: task.Automatically,
	})
	taskShortfall = task.Register(task.Kind{ // subject: the refund or dispute and the code of the fund
		Code: "fund_could_not_bear", Severity: task.Normal, For: task.Finance, Link: task.Link{Object: task.Fund, Detail: "fund"}, Closes: task.ByPerson,
	})
)

func transactionTask(code string, severity task.Severity, audience task.Audience) *task.Kind {
	return task.Register(task.Kind{Code: code, Severity: severity, For: audience, Link: task.Link{Object: task.Transaction}, Closes: task.ByPerson})
}
