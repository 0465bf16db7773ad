package bank_test

import (
	"os"
	"testing"
	"time"

	"konbit/internal/platform/pg"
)

// TestMain gives pages more time than they have in service: no test depends on the machine's speed.
func TestMain(m *testing.M) {
	pg.SetRequestTimeout(20 * time.Second)
	os.Exit(m.Run())
}
