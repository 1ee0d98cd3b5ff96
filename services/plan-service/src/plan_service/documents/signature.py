"""What does every malware scanner agree to find? The EICAR test string, which harms nobody."""

TEST_SIGNATURE = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
"""In pieces, so that no scanner finds it in this file."""
