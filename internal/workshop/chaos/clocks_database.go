package chaos

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/stripefake"
)

// databaseOff lists how far databases' clocks are off. The short form uses one of them.
func databaseOff(run Run) []string {
	all := []string{"-400d", "+400d", "-4m", "+4m"}
	if run.Count < len(moments()) {
		return all[run.Seed%4 : run.Seed%4+1]
	}
	return all
}

// databaseClocks runs a Konbit whose database has another clock than its servers, the mail server and Stripe. Gifts
// must end as usual, also after failures, whose retries and leases depend on a clock.
func databaseClocks(t testing.TB, run Run, off string) {
	library, err := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1")
	require.NoError(t, err)
	if len(library) == 0 {
		t.Fatal("libfaketime is not installed; mend it with: make test-deps")
	}
	db := startSeparatePG(t, localpg.Options{Environment: []string{
		"LD_PRELOAD=" + library[0], "FAKETIME=" + off, "FAKETIME_DONT_FAKE_MONOTONIC=1",
	}})
	var moved float64
	require.NoError(t, db.Owner.Get(&moved, `SELECT abs(extract(epoch FROM clock_timestamp()) - $1)`, time.Now().Unix()))
	require.Greater(t, moved, 200.0, "the database's clock is moved")
	s := e2e.Start(t, e2e.Options{Servers: 2, DB: db.Database, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	const gifts = 4
	for n := range gifts / 2 {
		give(t, s, n, patient)
	}
	s.Mail().SetFault(mailcatch.Fault{Kind: mailcatch.Refuse})
	for n := range gifts / 2 {
		give(t, s, gifts/2+n, patient)
	}
	time.Sleep(time.Second)
	s.Mail().SetFault(mailcatch.Fault{})
	s.Restart()
	if run.Count < len(moments()) {
		s.AgeLeases() // leases of the killed server; the full row waits until they expire
	}
	began := time.Now()
	s.WaitDrained(drained)
	run.Record(fmt.Sprintf("drained, database %s", off), time.Since(began).Round(time.Millisecond).String())
	// A check that ran meanwhile, with a clock years ahead, reports work that is in progress as overdue and opens a
	// task.
	db.Owner.MustExec(`DELETE FROM finance_task WHERE kind = 'checker_found'`)
	s.RequireGifts(gifts)
	var years []int
	require.NoError(t, db.Owner.Select(&years, `SELECT DISTINCT year FROM receipt`))
	zone, err := time.LoadLocation("America/New_York") // of the demo's entity
	require.NoError(t, err)
	require.Equal(t, []int{time.Now().In(zone).Year()}, years)
}
