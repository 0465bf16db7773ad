package privacy

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// taskCustomerKept is the kind of task about the customer of an erased donor at Stripe, which is not deleted because a
// plan of another donor is charged to it. Subject: the customer.
var taskCustomerKept = task.Register(task.Kind{
	Code: "customer_of_erased_donor_kept", Severity: task.Normal, For: task.Finance, Link: task.Link{Object: task.Plan, Detail: "plan"}, Closes: task.ByPerson,
})

// CustomerDeletion is the job that deletes the customer of a plan at Stripe, after its donor was erased.
type CustomerDeletion struct {
	PlanID uuid.UUID `json:"plan_id"`
}

// Kind returns the job's name in the queue.
func (CustomerDeletion) Kind() string { return "erasure_customer" }

// Queue returns the queue in which the job waits.
func (CustomerDeletion) Queue() jobs.QueueName { return jobs.Syncs }

// Register registers the package's jobs, except for emails.
func (k Eraser) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job CustomerDeletion) error { return k.deleteCustomer(ctx, job.PlanID) })
}

// enqueueCustomersTx enqueues the deletion of each customer of the donors at Stripe, once. None of their plans is
// active.
func (k Eraser) enqueueCustomersTx(ctx context.Context, tx *sqlx.Tx, donors []uuid.UUID) error {
	ordered := map[string]bool{}
	for _, donor := range donors {
		plans, err := recurring.OfDonor(ctx, tx, donor)
		if err != nil {
			return err
		}
		for _, p := range plans {
			if p.CustomerID == nil || ordered[*p.CustomerID] {
				continue
			}
			ordered[*p.CustomerID] = true
			if err := k.Queue.EnqueueTx(ctx, tx, CustomerDeletion{p.ID}); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteCustomer deletes the customer at Stripe, unless a plan of another donor is charged to it: that plan would end.
// Then a person deletes the customer later: it opens a task. If Stripe does not answer, the job is retried.
func (k Eraser) deleteCustomer(ctx context.Context, planID uuid.UUID) error {
	p, err := recurring.ByID(ctx, k.DB, planID)
	if err != nil || p.CustomerID == nil {
		return err
	}
	charged, err := recurring.OfCustomer(ctx, k.DB, p.EntityID, *p.CustomerID)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(charged, func(o plan.Plan) bool { return o.DonorID != p.DonorID }); i >= 0 {
		return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
			return task.OpenTx(ctx, tx, task.Task{
				EntityID: p.EntityID, Kind: taskCustomerKept, Subject: *p.CustomerID, Detail: map[string]string{"plan": charged[i].ID.String()},
			}, k.NewID, k.Now())
		})
	}
	e, err := org.EntityByID(ctx, k.DB, p.EntityID)
	if err != nil {
		return err
	}
	return k.Stripe.ForgetCustomer(ctx, e.Slug, *p.CustomerID)
}
