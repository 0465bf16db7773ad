package plan

import (
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/jobs"
)

// RequestJob is the job that executes a request.
type RequestJob struct {
	RequestID uuid.UUID `json:"request_id"`
}

// Kind returns the job's kind in river_job.
func (RequestJob) Kind() string { return "plan_request" }

// Queue returns the queue in which the job waits.
func (RequestJob) Queue() jobs.QueueName { return jobs.Requests }

// SyncJob is the job that syncs a plan with its subscription.
type SyncJob struct {
	PlanID uuid.UUID `json:"plan_id"`
}

// Kind returns the job's kind in river_job.
func (SyncJob) Kind() string { return "plan_look" }

// Queue returns the queue in which the job waits.
func (SyncJob) Queue() jobs.QueueName { return jobs.Syncs }

// DisputeState is the state of a dispute. An inquiry is not a dispute here, because no money is withdrawn.
type DisputeState string

// The states.
const (
	DisputeOpen DisputeState = "open"
	DisputeWon  DisputeState = "won" // or withdrawn
	DisputeLost DisputeState = "lost"
)

// DisputeJob says where a dispute of a charge stands, and is the job that does what this means for the charge's plan. It
// locks the plan alone: the same event also locks funds, which would be in another order than elsewhere.
type DisputeJob struct {
	EntityID uuid.UUID    `json:"entity_id"`
	Dispute  string       `json:"dispute"` // ids at the processor
	Charge   string       `json:"charge"`
	State    DisputeState `json:"state"`
	At       time.Time    `json:"at"` // of the event
}

// Kind returns the job's kind in river_job.
func (DisputeJob) Kind() string { return "plan_dispute" }

// Queue returns the queue in which the job waits.
func (DisputeJob) Queue() jobs.QueueName { return jobs.Requests }
