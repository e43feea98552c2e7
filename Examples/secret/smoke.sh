run cat /data | expect '"listings":[1,2,3]'
absent /run/secrets/api_key
nowhere your-secret-key
