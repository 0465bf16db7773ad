package deposits_test

import (
	"os"
	"testing"
	"time"

	"konbit/internal/platform/pg"
)

// TestMain gives pages more time than servers do: the test is about what they say, on a machine that may be busy.
func TestMain(m *testing.M) {
	pg.SetRequestTimeout(20 * time.Second)
	os.Exit(m.Run())
}
