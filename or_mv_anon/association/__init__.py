"""Who is who across uncalibrated cameras, and where the people are that one camera missed and others see."""
