namespace ActorTrainer.Core.Membership;

/// <summary>One actor system among the members.</summary>
/// <param name="Address">Where it is, as Akka writes it.</param>
/// <param name="Uid">Tells two systems at one address apart.</param>
public readonly record struct MemberKey(string Address, long Uid);
