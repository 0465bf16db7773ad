package jobs

import (
	"cmp"
	"time"

	"github.com/riverqueue/river"
)

// QueueName names a queue. Each kind of job declares its queue. Rows of river_job hold the name, so it never changes.
type QueueName string

// The queues. Each has slots of its own, so that slow work in one never delays another:
//
//	queue       work                                                   slots of 25   retried at the latest after
//	requests    what a donor asked of Stripe and waits for             5             9 min
//	office      what staff ordered and wait for                        2             9 min
//	syncs       reads and updates of Stripe without a waiting person   3             9 min
//	sign_in     emails to a person who wants to sign in, and to staff  2             4.5 s
//	emails      receipts and what happened to a donation               10            9 min
//	bulk        statements and news: thousands at once                 2             9 min
//	default     jobs that the previous release enqueued                1             9 min
//
// An email waits for the disk and for the mail server, so many are under way at once. Emails have at most half
// of the slots: a mail server that is silent cannot stop the work with Stripe.
const (
	Requests QueueName = "requests"
	Office   QueueName = "office"
	Syncs    QueueName = "syncs"
	SignIn   QueueName = "sign_in"
	Emails   QueueName = "emails"
	Bulk     QueueName = "bulk"

	// previous is the queue of the release before queues. No job is enqueued there any more. It is worked because jobs
	// wait in it at an upgrade, and because servers of that release may run beside this one.
	previous QueueName = river.QueueDefault
)

// HoldsEmails reports whether the jobs of a queue send emails.
func (n QueueName) HoldsEmails() bool { return n == SignIn || n == Emails || n == Bulk }

// policy is how the jobs of one queue are run.
type policy struct {
	share      int           // of totalShares: the queue's part of all slots
	poll       time.Duration // how often the database is asked for jobs while there are none
	cooldown   time.Duration // the shortest time between two fetches; 0: fetchCooldown
	maxDelay   time.Duration // the longest delay before a failed job runs again, randomised by half
	maxOverdue time.Duration // a job that is due for longer shows that the queue does not move
}

const totalShares = 25

var policies = map[QueueName]policy{
	Requests: {share: 5, poll: 50 * time.Millisecond, maxDelay: maxRetryDelay, maxOverdue: time.Minute},
	Office:   {share: 2, poll: 100 * time.Millisecond, maxDelay: maxRetryDelay, maxOverdue: 15 * time.Minute},
	Syncs:    {share: 3, poll: 250 * time.Millisecond, maxDelay: maxRetryDelay, maxOverdue: 15 * time.Minute},
	SignIn:   {share: 2, poll: 100 * time.Millisecond, maxDelay: 3 * time.Second, maxOverdue: time.Minute},
	Emails:   {share: 10, poll: 50 * time.Millisecond, cooldown: 15 * time.Millisecond, maxDelay: maxRetryDelay, maxOverdue: 15 * time.Minute},
	Bulk:     {share: 2, poll: 500 * time.Millisecond, maxDelay: maxRetryDelay, maxOverdue: 6 * time.Hour},
	previous: {share: 1, poll: 500 * time.Millisecond, maxDelay: maxRetryDelay, maxOverdue: 15 * time.Minute},
}

// fetchCooldown is the shortest time between two fetches of most queues. A queue whose jobs end at once runs at most its
// slots in this time. Each fetch is planned anew, for half a millisecond; a fetch of emails waits until several slots are free.
const fetchCooldown = 5 * time.Millisecond

// slots returns the slots of a queue if there are total slots: its share, and at least one.
func (p policy) slots(total int) int { return max(1, p.share*total/totalShares) }

// queueConfigs returns the configuration of all queues for a runner with total slots.
func queueConfigs(total int) map[string]river.QueueConfig {
	configs := map[string]river.QueueConfig{}
	for name, p := range policies {
		configs[string(name)] = river.QueueConfig{
			MaxWorkers: p.slots(total), FetchCooldown: cmp.Or(p.cooldown, fetchCooldown), FetchPollInterval: p.poll,
		}
	}
	return configs
}
