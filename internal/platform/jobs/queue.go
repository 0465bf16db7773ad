package jobs

import (
	"context"
	"database/sql"
	"log/slog"

	"github.com/jmoiron/sqlx"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
)

// Job is a unit of work: a struct of ids that is stored as JSON.
type Job interface {
	Kind() string     // its name in river_job, which rows hold
	Queue() QueueName // the queue in which it waits
}

// maxAttempts is so high that no job is given up in an outage of days: at the longest delay the attempts last two
// weeks.
const maxAttempts = 2000

// Queue adds jobs, each to the queue of its kind.
type Queue struct{ client *river.Client[*sql.Tx] }

// NewQueue returns a queue that only adds jobs. It holds no connection.
func NewQueue() (*Queue, error) {
	client, err := river.NewClient(riverdatabasesql.New(nil), &river.Config{
		Logger: slog.New(slog.DiscardHandler), MaxAttempts: maxAttempts, Test: river.TestConfig{Time: databaseTimeClock{}},
	})
	if err != nil {
		return nil, err
	}
	return &Queue{client}, nil
}

// EnqueueTx adds jobs in the caller's transaction, with one statement for all of them.
func (q *Queue) EnqueueTx(ctx context.Context, tx *sqlx.Tx, jobs ...Job) error {
	if len(jobs) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, job := range jobs {
		params[i] = river.InsertManyParams{Args: job, InsertOpts: &river.InsertOpts{Queue: string(job.Queue())}}
	}
	_, err := q.client.InsertManyTx(ctx, tx.Tx, params)
	return err
}
