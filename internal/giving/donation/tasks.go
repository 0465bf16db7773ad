package donation

import "konbit/internal/books/task"

// Tasks about a payment that does not settle a donation. Its money is in suspense, except in another currency.
var (
	taskWithoutGift = task.Register(task.Kind{ // subject: the source of such payments, or one payment
		Code: "payment_without_gift", Severity: task.Normal, For: task.Finance, Link: task.Link{Object: task.Payment, Detail: "charge"}, Closes: task.ByPerson,
	})
	taskOtherEntity   = paymentTask("payment_of_another_entity", task.Urgent, task.ByPerson)
	taskOtherCurrency = paymentTask("payment_in_other_currency", task.Urgent, task.ByPerson)
	taskPaidTwice     = paymentTask("gift_paid_twice", task.Urgent, task.ByPerson)
	taskReplaced      = paymentTask("replaced_gift_paid", task.Urgent, task.ByPerson)
	taskPurged        = paymentTask("purged_gift_paid", task.Urgent, task.ByPerson)
	taskDiffers       = task.Register(task.Kind{
		Code: "payment_differs_from_gift", Severity: task.Urgent, For: task.Finance, Link: task.Link{Object: task.Donation, Detail: "donation"},
		Closes: task.ByPerson,
	})
	// The program refunds these two by itself. They close when the refund is booked.
	taskBeyondPlan = paymentTask("payment_beyond_plan", task.Low, task.Automatically)
	taskPlanEnded  = paymentTask("payment_after_plan_ended", task.Low, task.Automatically)
)

// paymentTask registers a kind whose subject is a payment intent, or a charge that has none.
func paymentTask(code string, severity task.Severity, closes task.Closing) *task.Kind {
	return task.Register(task.Kind{Code: code, Severity: severity, For: task.Finance, Link: task.Link{Object: task.Payment}, Closes: closes})
}

// RejectTaskKinds returns the kinds of tasks about charges that the program refunds by itself.
func RejectTaskKinds() []*task.Kind { return []*task.Kind{taskBeyondPlan, taskPlanEnded} }
