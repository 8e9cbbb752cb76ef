using ActorTrainer.Core.Journaling;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>Asks the write lane to open the database, and does nothing else.</summary>
internal sealed record OpenRequest : JournalRequest;

/// <summary>The database is open.</summary>
internal sealed record OpenReply(string Identity) : JournalReply;

/// <summary>The database could not be opened.</summary>
internal sealed record OpenFailedReply(JournalOpenException Exception) : JournalReply;
