package staffmail

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/platform/jobs"
)

// TestValuesKeepTheirSpelling: rows, sent emails and the filters of mail programs hold these strings.
func TestValuesKeepTheirSpelling(t *testing.T) {
	require.Equal(t, "head", kindAuditDigest)
	require.Equal(t, "books", auditList)
	require.Equal(t, "staff", staffList)
}

// TestReadmeListsEveryEmail: each kind with its stream, each job.
func TestReadmeListsEveryEmail(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	require.Regexp(t, "\n\\| `"+kindAuditDigest+"` \\|.*\\| `"+auditList+"` \\|", string(readme))
	for _, kind := range []string{staff.EmailInvite, staff.EmailReset, staff.EmailRecovery, staff.EmailFactor, staff.EmailGlass} {
		require.Contains(t, string(readme), "\n| `"+kind+"` |")
	}
	for _, job := range []jobs.Job{AuditDigestJob{}, staff.EmailJob{}} {
		require.Contains(t, string(readme), "`"+job.Kind()+"`")
	}
}
