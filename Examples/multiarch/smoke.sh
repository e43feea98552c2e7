if [ "$dockerfile" = Dockerfile.single ]; then
    run /app/main --once | expect 3750
elif [ "$platform" = linux/arm64 ]; then
    # ELF header, bytes 18-19: 183 is AArch64.
    od -An -tu2 -j18 -N2 "$root/app" | expect 183
    emulate /app --once | expect 3750
else
    run /app --once | expect 3750
fi
