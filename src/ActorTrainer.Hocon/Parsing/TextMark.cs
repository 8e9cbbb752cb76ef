namespace ActorTrainer.Hocon.Parsing;

/// <summary>A place in a text that a <see cref="TextCursor"/> can come back to.</summary>
internal readonly record struct TextMark(int Position, int Line, int LineStart);
