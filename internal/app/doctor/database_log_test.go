package doctor

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

func TestDoctorReportsALogWithDonorsData(t *testing.T) {
	require.NoError(t, checkLog(t.Context(), testkit.DB(t).Server))
	const verbosity, onError, parameters = "log_error_verbosity = terse", "log_parameter_max_length_on_error = 0", "log_parameter_max_length = 0"
	for fix, l := range map[string]logging{
		verbosity:                     {"default", "0", "-1", false},
		onError:                       {"terse", "-1", "-1", false},
		parameters:                    {"terse", "0", "-1", true},
		verbosity + " and " + onError: {"verbose", "64", "0", true},
	} {
		t.Run(fix, func(t *testing.T) {
			require.ErrorContains(t, l.check(), fix)
		})
	}
	require.NoError(t, logging{"terse", "0", "0", true}.check())
}
