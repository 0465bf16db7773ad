package donoraccess_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/donoraccess"
)

// TestLinksEndBeforeSessions: an erasure locks links to plans before sessions (migration 00077). A
// transaction that ends both uses the same order, which prevents a deadlock.
func TestLinksEndBeforeSessions(t *testing.T) {
	f := newFixture(t)
	ended := 0
	f.EndLinksTx = func(ctx context.Context, _ *sqlx.Tx, _ []string) error {
		ended++
		_, err := f.Owner.ExecContext(ctx, `SELECT id FROM session FOR UPDATE NOWAIT`)
		return err
	}
	signIn := func(email string) uuid.UUID {
		proof := f.requestEmail(email, "browser", uuid.Nil)
		opened, _, err := f.SignInByCode(t.Context(), donoraccess.CodeAttempt{Email: email, Code: proof.Code, From: homeIP})
		require.NoError(t, err)
		return opened.PersonID
	}
	link := func(email, other string) {
		proof := f.requestEmail(email, "browser", uuid.Nil)
		opened, _, err := f.SignInByCode(t.Context(), donoraccess.CodeAttempt{Email: email, Code: proof.Code, From: homeIP})
		require.NoError(t, err)
		proof = f.requestEmail(other, "browser", opened.PersonID)
		require.NoError(t, f.LinkAddress(t.Context(), opened, donoraccess.CodeAttempt{Email: other, Code: proof.Code, From: homeIP}))
	}
	for name, end := range map[string]func(){
		"all sessions": func() { require.NoError(t, f.SignOutEverywhere(t.Context(), signIn("ana@example.org"))) },
		"of an address": func() {
			signIn("ana@example.org")
			n, err := f.EndSessionsOfEmail(t.Context(), "ana@example.org")
			require.NoError(t, err)
			require.Positive(t, n)
		},
		"a lost address": func() {
			signIn("dora@example.org")
			require.NoError(t, f.MoveAddress(t.Context(), "dora@example.org", donoraccess.Move{To: "eva@example.org"}))
		},
		"linking": func() {
			signIn("bea@example.org")
			link("cleo@example.org", "bea@example.org")
		},
	} {
		before := ended
		end()
		require.Greater(t, ended, before, name)
	}
}
