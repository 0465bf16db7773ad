package doctor

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/app"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/typeset"
)

func TestReport(t *testing.T) {
	d := &Doctor{}
	d.Report("database", nil)
	d.Note("names of settings", "one is old")
	require.False(t, d.Failed())
	d.Report("Stripe", fault.Wrap(fault.Unavailable, "problem.503.text", errors.New("refused")))
	d.Report("SPF", errors.New("publish a record\n(or ask)"))
	require.True(t, d.Failed())
	var lines []string
	for _, f := range d.Findings {
		lines = append(lines, f.String())
	}
	require.Equal(t, []string{
		"✓ database", "✓ names of settings: one is old",
		"✗ Stripe: We cannot take this just now. Nothing was charged. Please try again in a few minutes. (refused)",
		"✗ SPF: publish a record\n    (or ask)",
	}, lines)
}

func TestAuditorsAreNamed(t *testing.T) {
	d := &Doctor{Settings: app.Settings{AuditMail: []string{"audit@firm.example", "board@tsne.example"}}}
	d.auditors()
	require.Contains(t, d.Findings[0].String(), "emailed daily to audit@firm.example, board@tsne.example")
	silent := &Doctor{}
	silent.auditors()
	require.Contains(t, silent.Findings[0].String(), "not emailed: set AUDIT_MAIL")
	require.False(t, silent.Failed())
}

// TestDoctorNamesScriptsWithoutAFont: the machine that runs the tests has the fonts; a folder without any lacks all scripts.
func TestDoctorNamesScriptsWithoutAFont(t *testing.T) {
	t.Parallel()
	require.True(t, fonts(typeset.System()).OK)
	none := fonts(typeset.In(t.TempDir()))
	require.False(t, none.OK)
	require.Contains(t, none.Fix, "Chinese")
	require.Contains(t, none.Fix, "Khmer")
	require.Contains(t, none.Fix, "apt-get install fonts-noto-core fonts-noto-cjk,")
}
