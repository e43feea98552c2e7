
print("whittle")
