package giftimport_test

import "os"

// measuring reports whether long measurements are wanted.
func measuring() bool { return os.Getenv("KONBIT_MEASURE") != "" }
