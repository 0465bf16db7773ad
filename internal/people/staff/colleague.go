package staff

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Colleague is a person as others of the staff see them.
type Colleague struct {
	ID    uuid.UUID `db:"id"`
	Name  string    `db:"name"`
	Email string    `db:"email"`
}

// Colleagues returns by name the people whom q may see. In the transaction of ReadTx these are who hold or held a role in a
// scope of the reader, and the reader.
func Colleagues(ctx context.Context, q sqlx.QueryerContext) (all []Colleague, err error) {
	const query = `/* staff.Colleagues */ SELECT id, name, email FROM staff WHERE NOT break_glass ORDER BY lower(name), email`
	err = sqlx.SelectContext(ctx, q, &all, query)
	return all, err
}
