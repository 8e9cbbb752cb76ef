namespace ActorTrainer.Cluster;

/// <summary>A journal that has been opened.</summary>
/// <param name="Identity">Drawn when it was made; two journals never have the same.</param>
/// <param name="Name">Where it is, as messages call it: the file, or the database without its password.</param>
public sealed record JournalIdentity(string Identity, string Name);
