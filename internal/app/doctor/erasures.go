package doctor

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/privacy"
)

// erasures reports whether the list of erasures is written to ERASURES_FILE and agrees with the database.
func (d *Doctor) erasures(ctx context.Context, db *sqlx.DB) {
	f := Finding{Check: "list of erasures"}
	done, err := privacy.ListDone(ctx, db)
	if err == nil && d.Settings.ErasuresFile == "" {
		if f.OK, f.Note = len(done) == 0, "no person was erased yet; set ERASURES_FILE before, so that a restored backup does not restore them"; !f.OK {
			err = fmt.Errorf("%d were done and are in no list: set ERASURES_FILE, and include that file in the backups", len(done))
		}
	} else if err == nil {
		err = listed(ctx, db, d.Settings.ErasuresFile)
		f.OK, f.Note = err == nil, fmt.Sprintf("%d in %s; check that the backups include it", len(done), d.Settings.ErasuresFile)
	}
	if err != nil {
		f.OK, f.Note, f.Fix = false, "", err.Error()
	}
	d.Findings = append(d.Findings, f)
}

// erasureKeys reports whether enough one-time keys are left for the receipts of erased donors.
func erasureKeys(ctx context.Context, db *sqlx.DB) error {
	n, err := privacy.CountPads(ctx, db)
	if err == nil && n < privacy.PadWarning {
		err = fmt.Errorf("%d are left, and each receipt of an erased donor takes one: run konbit erasures prepare", n)
	}
	return err
}

// listed reports an error if the file and the database differ.
func listed(ctx context.Context, db *sqlx.DB, file string) error {
	differs, err := privacy.Compare(ctx, db, file)
	switch {
	case err != nil:
		return fmt.Errorf("ERASURES_FILE cannot be read: %w", err)
	case len(differs.Undone) > 0:
		return fmt.Errorf("%d in %s are not done in this database, restored from a backup: run konbit erasures apply %[2]s", len(differs.Undone), file)
	case len(differs.Unlisted) > 0:
		return fmt.Errorf("%d are not in %s, which the workers write every ten minutes: do they run, and may they write there?", len(differs.Unlisted), file)
	}
	return nil
}
