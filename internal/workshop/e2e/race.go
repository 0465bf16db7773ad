//go:build race

package e2e

// raceDetector is true if this test binary was built with -race.
const raceDetector = true
