"""The rules about deadlines, messages and where parties want them: values in, facts out."""
