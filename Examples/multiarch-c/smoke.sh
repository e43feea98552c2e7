absent /bin /usr
if [ "$platform" = linux/arm64 ]; then
    emulate /primes 1000 | expect '168 primes below 1000, counted on aarch64'
else
    run | expect '25 primes below 100, counted on x86_64'
fi
