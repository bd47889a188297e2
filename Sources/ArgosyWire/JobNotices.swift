internal import ArgosyDomain

// Mail, warnings and boots of a job's specification.
extension WireJobSpec {
    mutating func setNotices(_ fields: JobSpec.Fields) {
        mailTypes = fields.mailTypes.rawValue
        mailUser = fields.mailUser
        reboot = fields.reboot
        if let minutes = fields.delayBoot { delayBootMinutes = minutes }
        guard let warning = fields.warning else { return }
        self.warning.number = warning.number
        self.warning.seconds = warning.seconds
        self.warning.batchOnly = warning.batchOnly
        self.warning.forReservation = warning.forReservation
    }

    func readNotices(into fields: inout JobSpec.Fields) {
        fields.mailTypes = MailTypes(rawValue: mailTypes)
        fields.mailUser = mailUser
        fields.reboot = reboot
        if hasDelayBootMinutes { fields.delayBoot = delayBootMinutes }
        guard hasWarning else { return }
        fields.warning = WarningSignal(
            number: warning.number, seconds: warning.seconds, batchOnly: warning.batchOnly,
            forReservation: warning.forReservation)
    }
}
