namespace ActorTrainer.Core.Queries;

/// <summary>The journal cannot be read now; ask again. The message says why.</summary>
public sealed class JournalUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
