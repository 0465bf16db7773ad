package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/jmoiron/sqlx"
)

// logging is the database's settings of its log.
type logging struct {
	Verbosity  string
	OnError    string `db:"on_error"` // bytes of each parameter of a failed statement
	Parameters string // bytes of each parameter of a logged statement
	Statements bool   // whether statements are logged, all or slow ones
}

// checkLog reports an error if the database's log would contain what donors typed. Names and addresses are parameters
// of statements, and appear in the details of errors ("Failing row contains …").
func checkLog(ctx context.Context, db *sqlx.DB) error {
	const query = `/* doctor.checkLog */
		SELECT current_setting('log_error_verbosity') AS verbosity, current_setting('log_parameter_max_length_on_error') AS on_error,
		       current_setting('log_parameter_max_length') AS parameters,
		       current_setting('log_statement') IN ('mod', 'all') OR current_setting('log_min_duration_statement') <> '-1' AS statements`
	var is logging
	if err := db.GetContext(ctx, &is, query); err != nil {
		return err
	}
	return is.check()
}

// check reports an error if parameters or rows are logged.
func (l logging) check() error {
	var set []string
	if l.Verbosity != "terse" {
		set = append(set, "log_error_verbosity = terse")
	}
	if l.OnError != "0" {
		set = append(set, "log_parameter_max_length_on_error = 0")
	}
	if l.Statements && l.Parameters != "0" {
		set = append(set, "log_parameter_max_length = 0")
	}
	if len(set) > 0 {
		return errors.New("it would contain what donors typed: set in postgresql.conf " + strings.Join(set, " and "))
	}
	return nil
}
