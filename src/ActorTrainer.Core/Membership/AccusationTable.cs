namespace ActorTrainer.Core.Membership;

/// <summary>The accusations that stand, by accused life and observer.</summary>
internal sealed class AccusationTable
{
    private readonly SortedDictionary<long, SortedDictionary<long, Entry>> _byTarget = [];

    /// <summary>The accused lives, sorted.</summary>
    public IReadOnlyList<long> Targets => [.. _byTarget.Keys];

    public Accusation? Find(long target, long observer) =>
        _byTarget.TryGetValue(target, out SortedDictionary<long, Entry>? observers) && observers.TryGetValue(observer, out Entry entry)
            ? entry.Accusation
            : null;

    /// <summary>The accusations against a life, by observer.</summary>
    public IReadOnlyList<Accusation> Against(long target) =>
        _byTarget.TryGetValue(target, out SortedDictionary<long, Entry>? observers)
            ? [.. observers.Values.Select(entry => entry.Accusation)]
            : [];

    /// <summary>The accusations that an observer made.</summary>
    public IReadOnlyList<Accusation> By(long observer) =>
        [.. _byTarget.Keys.Select(target => Find(target, observer)).OfType<Accusation>()];

    /// <summary>Adds an accusation; true when it says more than the one that stood. A crash says more than silence.</summary>
    public bool Add(Accusation accusation, TimeSpan now)
    {
        if (!_byTarget.TryGetValue(accusation.Target, out SortedDictionary<long, Entry>? observers))
        {
            _byTarget[accusation.Target] = observers = [];
        }

        if (observers.TryGetValue(accusation.Observer, out Entry known) &&
            (known.Accusation.Kind, known.Accusation.Refutation).CompareTo((accusation.Kind, accusation.Refutation)) >= 0)
        {
            return false;
        }

        observers[accusation.Observer] = new Entry(accusation, now);
        return true;
    }

    /// <summary>The observer says again what it said.</summary>
    public void Renew(long target, long observer, TimeSpan now)
    {
        if (Find(target, observer) is { } accusation)
        {
            _byTarget[target][observer] = new Entry(accusation, now);
        }
    }

    public bool Remove(long target, long observer)
    {
        if (!_byTarget.TryGetValue(target, out SortedDictionary<long, Entry>? observers) || !observers.Remove(observer))
        {
            return false;
        }

        if (observers.Count == 0)
        {
            _byTarget.Remove(target);
        }

        return true;
    }

    public void RemoveTarget(long target) => _byTarget.Remove(target);

    /// <summary>Drops claims of silence that the accused answered by a larger counter. A crash cannot be refuted.</summary>
    public void Refuted(long target, long refutation) =>
        RemoveWhere(entry => entry.Accusation.Target == target && entry.Accusation.Kind == AccusationKind.Silent && entry.Accusation.Refutation < refutation);

    /// <summary>The accusations by an observer that were made or renewed before a time.</summary>
    public IReadOnlyList<Accusation> OlderThan(long observer, TimeSpan time) =>
        [.. By(observer).Where(accusation => _byTarget[accusation.Target][observer].Since <= time)];

    /// <summary>Drops what others said before a time and did not say again: whoever stopped saying it may have changed its mind, or be gone.</summary>
    public void Lapse(long self, TimeSpan time) => RemoveWhere(entry => entry.Accusation.Observer != self && entry.Since <= time);

    private void RemoveWhere(Func<Entry, bool> match)
    {
        foreach (Entry entry in _byTarget.Values.SelectMany(observers => observers.Values).Where(match).ToArray())
        {
            Remove(entry.Accusation.Target, entry.Accusation.Observer);
        }
    }

    private readonly record struct Entry(Accusation Accusation, TimeSpan Since);
}
